import { Forwarder, Session, closeCode, type SessionIo, type UpstreamAddress } from '@sluice/wire'

export interface ConsoleLink {
  session(): Session
  close(): void
}

/**
 * Serves the console host from the gateway with the same edge, session and forwarding code as any tunnel: a relay's and an
 * agent's end in one process, joined by memory.
 */
export async function openConsoleLink(
  upstream: UpstreamAddress,
  onChunkEnd: () => void,
): Promise<ConsoleLink> {
  const forwarder = new Forwarder({ upstream, hostHeader: 'preserve' })
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
          version: 1,
          features: [],
          sessionId: 'console',
          relayId: 'console',
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
    agent.hello('', 'console')
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
