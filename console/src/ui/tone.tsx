import type { ReactNode } from 'react'

export type Tone = 'good' | 'notice' | 'warn' | 'bad' | 'none'

interface Props {
  readonly tone: Tone
  readonly children: ReactNode
}

/** A state in a word, with its dot. The word carries the meaning, never the color alone. */
export function StateWord({ tone, children }: Props) {
  return (
    <span className="state">
      <span className="dot" data-tone={tone} aria-hidden="true" />
      {children}
    </span>
  )
}
