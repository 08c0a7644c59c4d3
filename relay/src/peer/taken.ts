import type { Socket } from 'node:net'

/** What a relay says first on a connection for a visitor of a port: its agent gets the visitor's bytes. Whoever cannot say so closes. */
const taken = 0x06

export function sayTaken(socket: Socket): void {
  socket.write(Buffer.from([taken]))
}

/** Waits for that word. True: the socket is paused, and may hold bytes that came behind it. False: it is destroyed. */
export function untilTaken(socket: Socket, msMax: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isTaken: boolean): void => {
      clearTimeout(timer)
      socket.off('data', onData).off('end', onGone).off('close', onGone)
      if (isTaken) socket.pause()
      else socket.destroy()
      resolve(isTaken)
    }
    const onData = (chunk: Buffer): void => {
      settle(chunk[0] === taken)
      if (chunk.length > 1 && !socket.destroyed) socket.unshift(chunk.subarray(1))
    }
    const onGone = (): void => settle(false)
    const timer = setTimeout(onGone, msMax)
    socket.on('error', () => undefined)
    socket.on('data', onData).on('end', onGone).on('close', onGone)
  })
}
