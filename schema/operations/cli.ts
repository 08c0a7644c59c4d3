/** Documents of the command line program. The gateway knows each by the SHA-256 of its text. */
export const cliOperations = {} as const
