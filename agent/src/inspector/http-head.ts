export interface Head {
  /** The request line or the status line. */
  readonly line: string
  /** As they came: order, case and duplicates. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** Takes apart a head that the strict scanner of the forwarder has taken already. */
export function parseHead(text: string): Head {
  const [line = '', ...rows] = text.split('\r\n')
  const fields = rows
    .filter((row) => row !== '')
    .map((row): [string, string] => {
      const colon = row.indexOf(':')
      return [row.slice(0, colon), row.slice(colon + 1).trim()]
    })
  return { line, fields }
}

export function fieldOf({ fields }: Head, name: string): string | undefined {
  return fields.find(([each]) => each.toLowerCase() === name)?.[1]
}

/** `GET /a?b HTTP/1.1`. */
export function requestLineOf({ line }: Head): { readonly method: string; readonly path: string } {
  const first = line.indexOf(' ')
  return { method: line.slice(0, first), path: line.slice(first + 1, line.lastIndexOf(' ')) }
}

/** `HTTP/1.1 200 OK`. */
export function statusOf({ line }: Head): number {
  return Number(line.split(' ')[1] ?? 0)
}
