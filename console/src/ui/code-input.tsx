import { TextInput } from '@mantine/core'

/** A code of an authenticator app, or a recovery code. It appears when it is asked for, and takes the focus then. */
export function CodeInput() {
  return (
    <TextInput
      label="Code"
      description="The six digits that your authenticator app shows, or a recovery code."
      name="code"
      autoComplete="one-time-code"
      required
      autoFocus
      maxLength={40}
      data-mantine-stop-propagation="true"
    />
  )
}
