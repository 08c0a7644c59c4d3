import { createContext } from 'react'

/** Asks whoever is at the keyboard to show that it is still them. Answers whether they did. */
export const ProofContext = createContext<() => Promise<boolean>>(() => Promise.resolve(false))
