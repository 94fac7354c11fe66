/** Whether clock times are this browser's or UTC. Views that stand listen for TIMES_CHANGE. */
import { Preference } from './preference.ts'
import { areTimesUtc, setTimesUtc } from './texts.ts'

export const TIMES_CHANGE = 'timeschange'

export const times = new Preference({
  key: 'usher.times',
  choices: ['local', 'utc'],
  event: TIMES_CHANGE,
  apply: choice => { setTimesUtc(choice === 'utc') },
  applied: () => areTimesUtc() ? 'utc' : 'local'
})
