/**
 * `/continue.js`: goes on to where the link from another site led, this time as a page of our own.
 * The server has not seen the fragment; it is kept.
 */
import { find } from './kit/dom.ts'

location.replace(find<HTMLAnchorElement>('continue').href + location.hash)
