import { builder } from '../builder.ts'
import type { SocialLink } from './social-link.entity.ts'
import { findSocialLinks, unlinkSocial } from './social-links.ts'
import { startSocialLink, startSocialProof, startSocialSignIn } from './start-social.ts'

const SocialProviderEnum = builder.enumType('SocialProvider', {
  description: 'Where else people have accounts that can sign in here.',
  values: {
    GOOGLE: { value: 'google', description: 'Google.' },
    GITHUB: { value: 'github', description: 'GitHub.' },
  } as const,
})

const SocialLinkType = builder.objectRef<SocialLink>('SocialLink').implement({
  description: 'An account elsewhere that can sign in to yours.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the link.' }),
    provider: t.expose('provider', { type: SocialProviderEnum, description: 'Where it is.' }),
    email: t.exposeString('email', { description: 'Its address when it was linked.' }),
    linkedAt: t.expose('linkedAt', { type: 'DateTime', description: 'When it was linked.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last signed in; null for never.',
    }),
  }),
})

builder.queryFields((t) => ({
  socialProviders: t.field({
    type: [SocialProviderEnum],
    description: 'Those that are set up on this server. Needs no sign-in.',
    resolve: (_root, _args, { social }) => [...social.names],
  }),
  socialLinks: t.field({
    type: [SocialLinkType],
    description: 'Accounts elsewhere that can sign in to yours.',
    resolve: (_root, _args, context) => findSocialLinks(context),
  }),
}))

const returnTo = 'The path of the console to come back to.'

builder.mutationFields((t) => ({
  startSocialSignIn: t.string({
    description:
      'Answers the address to open. It ends at a path of the console, signed in; `problem` in it has the code of a failure.',
    args: {
      provider: t.arg({ type: SocialProviderEnum, required: true, description: 'Where.' }),
      returnTo: t.arg.string({ required: true, description: returnTo }),
    },
    resolve: (_root, args, context) => startSocialSignIn(context, args.provider, args.returnTo),
  }),
  startSocialLink: t.string({
    description: 'The same, to link an account elsewhere to yours.',
    args: {
      provider: t.arg({ type: SocialProviderEnum, required: true, description: 'Where.' }),
      returnTo: t.arg.string({ required: true, description: returnTo }),
    },
    resolve: (_root, args, context) => startSocialLink(context, args.provider, args.returnTo),
  }),
  startSocialProof: t.string({
    description: 'The same, to show through a linked account that it is still you.',
    args: {
      provider: t.arg({ type: SocialProviderEnum, required: true, description: 'Where.' }),
      returnTo: t.arg.string({ required: true, description: returnTo }),
      code: t.arg.string({ description: 'Of your second factor, where it is on.' }),
    },
    resolve: (_root, { provider, returnTo: path, code }, context) =>
      startSocialProof(context, provider, path, code ?? null),
  }),
  unlinkSocial: t.id({
    description: 'The account elsewhere can no longer sign in to yours.',
    args: { id: t.arg.id({ required: true, description: 'The link.' }) },
    resolve: (_root, { id }, context) => unlinkSocial(context, id),
  }),
}))
