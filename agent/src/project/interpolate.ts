export interface Interpolated {
  readonly text: string
  /** Whether a variable stood in it. */
  readonly changed: boolean
  /** The first variable without a value and without a default. */
  readonly missing?: string
}

/** `${NAME}`, `${NAME:-default}`, and `$${` for a dollar and a brace. */
const variableForm = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** Fills in variables. An empty one counts as unset, as in a shell’s `:-`. */
export function interpolate(text: string, env: NodeJS.ProcessEnv): Interpolated {
  let missing: string | undefined
  let changed = false
  const filled = text.replaceAll(
    variableForm,
    (whole: string, name: string | undefined, otherwise: string | undefined) => {
      if (name === undefined) return '${'
      changed = true
      const value = env[name] || otherwise
      if (value !== undefined) return value
      missing ??= name
      return whole
    },
  )
  return { text: filled, changed, ...(missing === undefined ? {} : { missing }) }
}
