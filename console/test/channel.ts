/** Hands what is published to everyone who listens at that moment, each through a queue of its own. */
export function createChannel<E>() {
  const listeners = new Set<(event: E) => void>()
  return {
    get listening() {
      return listeners.size
    },
    publish(event: E) {
      for (const listener of listeners) listener(event)
    },
    async *listen(): AsyncGenerator<E> {
      const queue: E[] = []
      let wake = () => {}
      const listener = (event: E) => {
        queue.push(event)
        wake()
      }
      listeners.add(listener)
      try {
        for (;;) {
          const event = queue.shift()
          if (event !== undefined) yield event
          else
            await new Promise<void>((resolve) => {
              wake = resolve
            })
        }
      } finally {
        listeners.delete(listener)
      }
    },
  }
}
