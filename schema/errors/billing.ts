import type { Catalogue } from './catalogue.ts'

export const billingErrors = {
  SLUICE_PLAN_NOT_FOUND: {
    status: 404,
    title: 'There is no such plan.',
    cause: 'No plan has this id.',
    fix: 'Choose one of the listed plans.',
  },
} as const satisfies Catalogue
