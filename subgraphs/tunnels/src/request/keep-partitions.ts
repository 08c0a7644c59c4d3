import { defineJob } from '@sluice/kit/job'
import { z } from 'zod'

import type { JobDeps } from '../job-deps.ts'
import { createPartitions, dayOf, daysAfter, lockStorage } from './partition.ts'

/** Made this far ahead, so that the first request of a day does not wait for its partition. */
const daysAhead = 2

/** Makes the partitions of the days to come. */
export const keepPartitions = defineJob({
  name: 'requests.partitions',
  payload: z.object({}),

  async run(_payload, { em, now }: JobDeps) {
    const today = dayOf(now())
    const days = Array.from({ length: daysAhead + 1 }, (_none, ahead) => daysAfter(today, ahead))
    await em().transactional(async (locked) => {
      await lockStorage(locked)
      await createPartitions(locked, days)
    })
  },
})
