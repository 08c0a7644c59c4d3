import { defineEntity, p } from '@mikro-orm/core'

const DeadLetterSchema = defineEntity({
  name: 'DeadLetter',
  tableName: 'dead_letter',
  indexes: [{ name: 'dead_letter_at', properties: ['at'] }],
  properties: {
    /** The stream and the entry's id in it: recorded once however often it is given up. */
    stream: p.string().length(120).primary(),
    entryId: p.string().length(64).primary(),
    /** The JSON as it was read, cut. */
    text: p.text(),
    reason: p.text(),
    at: p.datetime().onCreate(() => new Date()),
  },
})

/** A batch of requests that could not be stored, with the reason, for the operator. */
export class DeadLetter extends DeadLetterSchema.class {}
DeadLetterSchema.setClass(DeadLetter)
