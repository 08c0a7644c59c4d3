/** The text of one field of a submitted form, without the spaces around it. */
export function formText(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value.trim() : ''
}

/** The password of a submitted form, as typed: spaces belong to it. */
export function passwordOf(form: HTMLFormElement, name = 'password'): string {
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value : ''
}
