import { Select, Textarea } from '@mantine/core'

import { formText } from '../ui/form-text.ts'
import { blocksOf, expiryOf, lifetimes } from './terms.ts'

/** How long a credential is good, and from where: the same for authtokens and API keys. */
export function TermsFields() {
  return (
    <>
      <Select
        label="Good for"
        name="lifetime"
        data={lifetimes}
        defaultValue=""
        allowDeselect={false}
      />
      <AllowedIpsField defaultValue="" />
    </>
  )
}

export function AllowedIpsField({ defaultValue }: { readonly defaultValue: string }) {
  return (
    <Textarea
      label="Only from these addresses"
      name="allowedIps"
      description="Addresses and CIDR blocks, one per line. Empty means from anywhere."
      placeholder="203.0.113.0/24"
      defaultValue={defaultValue}
      autosize
      minRows={1}
      maxRows={6}
      classNames={{ input: 'mono' }}
    />
  )
}

/** What the fields of a submitted form say. */
export function termsOf(form: HTMLFormElement) {
  const allowedIps = blocksOf(formText(form, 'allowedIps'))
  return {
    expiresAt: expiryOf(formText(form, 'lifetime'), Date.now()),
    allowedIps: allowedIps.length > 0 ? allowedIps : null,
  }
}
