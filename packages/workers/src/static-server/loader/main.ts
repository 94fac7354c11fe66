/** The loader's thread: reads all folders, says so and ends. */
import { runTask } from '../../task-host.ts'
import { loadSites } from './load-sites.ts'

void runTask(({ dirs, room, serverCount, isFirst }, say) => loadSites(dirs, {
  room, serverCount, isFirst, onFound: bytes => { say({ type: 'found', bytes }) }
}))
