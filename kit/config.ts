import { readFileSync } from 'node:fs'

import { z } from 'zod'

/** A TCP port; 0 lets the system choose one. */
export const port = z.coerce.number().int().min(0).max(65535)

/** Public ports from the first to the last: `20000-20999`, or one. */
export const portRange = z
  .string()
  .regex(/^\d{1,5}(-\d{1,5})?$/, 'is not a range of ports such as 20000-20999')
  .transform((text) => {
    const [first = 0, last = first] = text.split('-').map(Number)
    return { first, last }
  })
  .refine(({ first, last }) => first > 0 && first <= last && last <= 65_535, {
    error: 'is not a range of ports such as 20000-20999',
  })

/** How much a part logs. */
export const logLevel = z.enum(['debug', 'info', 'warn', 'error'])

/** A switch in the environment: `true`/`1`/`yes` or `false`/`0`/`no`. */
export const flag = z.stringbool()

/** A list separated by commas; spaces around items are dropped. */
export const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ''))

/** A JSON text, parsed; what it holds is the next schema's business. */
export const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue('is not JSON')
    return z.NEVER
  }
})

/** Thrown when the environment is not usable. Names every problem and no value: values may be secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads typed values from the environment. `NAME_FILE` names a file whose content stands for `NAME`, for secrets
 * mounted as files. An empty value counts as absent.
 */
export function readConfig<Shape extends z.ZodRawShape>(
  env: NodeJS.ProcessEnv,
  shape: Shape,
): z.infer<z.ZodObject<Shape>> {
  const raw: Record<string, string> = {}
  const problems: string[] = []
  for (const name of Object.keys(shape)) {
    const file = env[`${name}_FILE`]
    try {
      const value = file ? readFileSync(file, 'utf8').trim() : env[name]
      if (value) raw[name] = value
    } catch {
      problems.push(`${name}_FILE names a file that cannot be read`)
    }
  }

  const parsed = z.object(shape).safeParse(raw)
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0])
    problems.push(raw[name] === undefined ? `${name} is not set` : `${name}: ${issue.message}`)
  }
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(`The configuration is not valid:\n  ${problems.join('\n  ')}`)
  }
  return parsed.data
}
