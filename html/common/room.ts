/**
 * `/room.js`, the script of the three example rooms; loaded after `/usher.js`. What it does is in
 * `room-view.ts`.
 */
import { showRoom } from '../room-script/room-view.ts'

showRoom(window, Date.now)
