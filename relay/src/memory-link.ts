import { Session, closeCode, protocolVersions, type Forwarder, type SessionIo } from '@sluice/wire'

/** A session whose streams one forwarder of this process serves. */
export interface MemoryLink {
  /** A session that takes streams, or soon will. */
  session(): Session
  close(): void
}

/**
 * Serves requests from an address with the same edge, session and forwarding code as any tunnel: a relay's and an agent's end
 * in one process, joined by memory.
 */
export async function openMemoryLink(
  name: string,
  forwarder: Forwarder,
  onChunkEnd: () => void,
): Promise<MemoryLink> {
  let relay: Session | undefined

  function open(onReady: () => void): Session {
    const ends: { relay?: Session; agent?: Session } = {}
    const io = (peer: 'relay' | 'agent', own: 'relay' | 'agent'): SessionIo => ({
      now: () => performance.now(),
      setTimer(callback, delayMs) {
        const timer = setTimeout(callback, delayMs).unref()
        return () => clearTimeout(timer)
      },
      defer: setImmediate,
      send(parts) {
        const message = Buffer.concat(parts)
        // In a turn of its own: a message must not be read in the middle of another one's writing.
        setImmediate(() => ends[peer]?.receive(message, 14, message.length))
        return true
      },
      close: () => setImmediate(() => ends[peer]?.close(closeCode.done, `${own} closed`, true)),
    })
    const made = new Session('relay', io('agent', 'relay'), {
      onHello(hello) {
        made.welcome(hello, {
          version: protocolVersions[0] ?? 1,
          features: [],
          sessionId: name,
          relayId: name,
          expiresInMs: 0,
          endpointHosts: [],
        })
      },
      onChunkEnd,
      onClose() {
        if (relay === made) relay = undefined
      },
    })
    const agent = new Session('agent', io('relay', 'agent'), {
      onWelcome: onReady,
      onOpen: (stream, payload, ended) => forwarder.open(stream, payload, ended),
      onClose() {},
    })
    ends.relay = made
    ends.agent = agent
    agent.hello('', name)
    return made
  }

  await new Promise<void>((resolve) => {
    relay = open(resolve)
  })
  return {
    session() {
      relay ??= open(() => undefined)
      return relay
    },
    close() {
      relay?.close()
      forwarder.close()
    },
  }
}
