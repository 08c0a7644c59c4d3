type UsageTone = 'none' | 'notice' | 'warn' | 'bad'

export interface MeterWords {
  readonly percent: number
  readonly tone: UsageTone
  readonly words: string | null
}

interface Meter {
  readonly used: number
  readonly limit: number
}

/** What happens once the limit is reached, in words; it differs from meter to meter. */
export type AtLimit = string

const noticeAtPercent = 50
const warnAtPercent = 80
const fullAtPercent = 100

/** How a meter stands, and what it says about it at 50, 80 and 100 percent. */
export function meterWords({ used, limit }: Meter, atLimit: AtLimit): MeterWords {
  // A plan without any of it is full by nature: there is nothing to warn about.
  if (limit <= 0) return { percent: 0, tone: 'none', words: 'Not part of this plan.' }
  const percent = Math.min(Math.floor((used / limit) * 100), 999)
  if (percent >= fullAtPercent)
    return { percent, tone: 'bad', words: `The limit is reached. ${atLimit}` }
  if (percent >= warnAtPercent) {
    return {
      percent,
      tone: 'warn',
      words: `${percent} % is used. At the limit: ${lowerFirst(atLimit)}`,
    }
  }
  if (percent >= noticeAtPercent)
    return { percent, tone: 'notice', words: 'More than half is used.' }
  return { percent, tone: 'none', words: null }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
