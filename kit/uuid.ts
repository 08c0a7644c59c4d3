const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether a text can be an id at all: PostgreSQL refuses to compare a uuid with anything else. */
export function isUuid(text: string): boolean {
  return uuidForm.test(text)
}
