import type { Catalogue } from './catalogue.ts'

export const addressErrors = {
  SLUICE_ADDRESS_INVALID: {
    status: 400,
    title: 'This address cannot be used: {reason}.',
    cause: 'Sluice asks public web addresses only.',
    fix: 'Give a whole address such as https://login.example.com/path.',
  },
  SLUICE_ADDRESS_NOT_PUBLIC: {
    status: 422,
    title: '{host} has no public address.',
    cause: 'The name does not exist, or leads into a private network, where Sluice asks nothing.',
    fix: 'Check the name. A service in your own network needs a public address first.',
  },
  SLUICE_ADDRESS_UNREACHABLE: {
    status: 502,
    title: '{host} cannot be reached: {reason}.',
    cause: 'No whole answer came from there.',
    fix: 'Check that the service runs and can be reached from the internet, then try again.',
  },
  SLUICE_ADDRESS_TIMEOUT: {
    status: 504,
    title: '{host} did not answer within {seconds} seconds.',
    cause: 'The connection or the answer took too long.',
    fix: 'Check the service, then try again.',
  },
  SLUICE_ADDRESS_REDIRECTS: {
    status: 422,
    title: '{host} redirects elsewhere.',
    cause: 'Sluice follows no redirects: where they lead is not what was checked.',
    fix: 'Give the address where the redirect ends.',
  },
  SLUICE_ADDRESS_ANSWER_TOO_LARGE: {
    status: 422,
    title: 'The answer of {host} is larger than {max} bytes.',
    cause: 'What Sluice reads from other servers is bounded.',
    fix: 'Check that the address is the right one.',
  },
} as const satisfies Catalogue
