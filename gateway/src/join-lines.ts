/** How long joins wait for one of their line that is under way, to become more meanwhile. */
const holdMsMax = 4

interface Line {
  waiting: (() => Promise<void>)[]
  underWay: number
  hold: NodeJS.Timeout | null
}

/**
 * When joins begin: those of one line in one go, so that what they ask of a subgraph can be asked together. That is at the
 * end of the turn of the event loop, or, while one of the line is under way, with its end or after 4 ms. So the
 * more there is to do the more is done at once, and a slow subgraph delays nobody by more than that.
 */
export class JoinLines {
  readonly #lines = new Map<string, Line>()

  /** `begin` starts a join and resolves with its end. It never rejects. */
  add(key: string, begin: () => Promise<void>): void {
    const line = this.#lines.get(key) ?? { waiting: [], underWay: 0, hold: null }
    this.#lines.set(key, line)
    line.waiting.push(begin)
    if (line.waiting.length > 1) return
    if (line.underWay === 0) setImmediate(() => this.#begin(key, line))
    else line.hold = setTimeout(() => this.#begin(key, line), holdMsMax)
  }

  #begin(key: string, line: Line): void {
    if (line.hold) clearTimeout(line.hold)
    line.hold = null
    const { waiting } = line
    line.waiting = []
    line.underWay += waiting.length
    for (const begin of waiting) void begin().then(() => this.#ended(key, line))
  }

  #ended(key: string, line: Line): void {
    line.underWay -= 1
    if (line.waiting.length > 0) this.#begin(key, line)
    else if (line.underWay === 0) this.#lines.delete(key)
  }
}
