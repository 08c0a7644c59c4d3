import '@mantine/core/styles.css'
import './styles.css'
import { MantineProvider } from '@mantine/core'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { App } from './app.tsx'
import { createAnonymousGraph } from './graph/client.ts'
import { createConsoleRouter } from './routes.tsx'
import { createBrowserSignIn } from './sign-in/browser-sign-in.ts'
import { cssVariables, theme } from './theme.ts'

const anonymous = createAnonymousGraph()
const signIn = createBrowserSignIn(anonymous)
const router = createConsoleRouter(signIn)
const root = document.querySelector('#root')

if (root) {
  void signIn.start()
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <App signIn={signIn} anonymous={anonymous} router={router} />
      </MantineProvider>
    </StrictMode>,
  )
}
