import { PasswordInput, Text } from '@mantine/core'
import { useEffect, useState } from 'react'

/** The server checks it too; here it only spares a round trip. */
const passwordCharactersMin = 10
const typingRestMs = 150

interface Strength {
  /** 0 to 4, as zxcvbn counts. */
  readonly score: number
}

const words = ['Guessed at once', 'Easily guessed', 'So-so', 'Good', 'Very good'] as const
const tones = ['bad', 'bad', 'warn', 'good', 'good'] as const

interface Props {
  readonly label?: string
  readonly isFocused?: boolean
}

/** A new password, with how hard it is to guess while it is typed. */
export function NewPassword({ label = 'Password', isFocused = false }: Props) {
  const [typed, setTyped] = useState('')
  const strength = useStrength(typed)
  const word = strength ? words[strength.score] : undefined

  return (
    <div>
      <PasswordInput
        label={label}
        description={`At least ${passwordCharactersMin} characters. A few words that do not belong together are good.`}
        name="password"
        autoComplete="new-password"
        minLength={passwordCharactersMin}
        required
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        {...(isFocused && { 'data-autofocus': true, autoFocus: true })}
      />
      {strength && (
        <>
          <div
            className="meter"
            data-tone={tones[strength.score]}
            aria-hidden="true"
            role="presentation"
            style={{ marginTop: 8 }}
          >
            <div style={{ width: `${(strength.score + 1) * 20}%` }} />
          </div>
          <Text size="xs" mt={4} role="status">
            {word}
          </Text>
        </>
      )}
    </div>
  )
}

/** Null until something is typed, and where the meter cannot be loaded: it is a help, not a gate. */
function useStrength(typed: string): Strength | null {
  const [strength, setStrength] = useState<Strength | null>(null)
  useEffect(() => {
    if (typed === '') {
      setStrength(null)
      return undefined
    }
    let isOld = false
    const id = setTimeout(() => {
      import('./password-strength.ts').then(
        ({ scoreOf }) => {
          if (!isOld) setStrength({ score: scoreOf(typed) })
        },
        () => undefined,
      )
    }, typingRestMs)
    return () => {
      isOld = true
      clearTimeout(id)
    }
  }, [typed])
  return strength
}
