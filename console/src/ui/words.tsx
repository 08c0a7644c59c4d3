import { Code } from '@mantine/core'
import { Fragment } from 'react'

/** A sentence of the catalogue: what it writes between backticks is to be typed, and shows so. */
export function Words({ children }: { children: string }) {
  return children
    .split('`')
    .map((part, at) =>
      at % 2 === 1 ? <Code key={at}>{part}</Code> : <Fragment key={at}>{part}</Fragment>,
    )
}
