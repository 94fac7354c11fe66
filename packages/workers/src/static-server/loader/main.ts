/** The loader's thread: reads all folders, says so and ends. */
import { runTask } from '../../task-host.ts'
import { loadSites } from './load-sites.ts'

await runTask(({ dirs, room, serverCount }, say) => loadSites(dirs, {
  room, serverCount, onFound: bytes => { say({ type: 'found', bytes }) }
}))
