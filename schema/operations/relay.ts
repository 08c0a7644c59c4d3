/** Documents of the relay. The gateway knows each by the SHA-256 of its text. */
export const relayOperations = {} as const
