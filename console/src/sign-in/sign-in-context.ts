import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Client } from 'urql'

import type { BrowserSignIn } from './browser-sign-in.ts'
import type { SignInState } from './sign-in.ts'

interface Door {
  readonly signIn: BrowserSignIn
  readonly anonymous: Client
}

export const DoorContext = createContext<Door | null>(null)

export function useDoor(): Door {
  const door = useContext(DoorContext)
  if (!door) throw new Error('useDoor needs a DoorContext')
  return door
}

export function useSignInState(): SignInState {
  const { signIn } = useDoor()
  return useSyncExternalStore(signIn.subscribe, signIn.state)
}
