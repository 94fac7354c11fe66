/** The channel between the tabs of one browser; undefined where there is none, or not allowed. */
import type { Channel, TabMessage } from './shared-live.ts'

/** The number is the version of the messages: tabs of two versions do not hear each other. */
const NAME = 'usher-console-1'

export function openTabChannel (hear: (message: TabMessage) => void): Channel | undefined {
  if (typeof BroadcastChannel === 'undefined') return undefined
  try {
    const channel = new BroadcastChannel(NAME)
    channel.onmessage = ({ data }) => { hear(data as TabMessage) }
    return channel
  } catch {
    return undefined
  }
}
