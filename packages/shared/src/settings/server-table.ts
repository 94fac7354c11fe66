/** The rows that name servers, say where they are and check their health. */
import { OWN_SERVERS_MAX, SERVERS_MAX } from '../memory/layout.ts'
import { baseUrl, list, port, seconds, wholeNumber } from './kinds.ts'
import { CAPACITY_MAX, HEALTH_BOUNDS } from './server-bounds.ts'
import { externalServer, serverName, statusRange, urlPath, weight } from './server-kinds.ts'
import type { Definition } from './setting-definition.ts'

const { intervalS, timeoutS, inARowMax } = HEALTH_BOUNDS

export const SERVER_TABLE = {
  SERVER_URLS: {
    kind: list(baseUrl(), 0, OWN_SERVERS_MAX),
    default: '',
    meaning: 'One public base URL per port, for port mappings and proxies.'
  },
  PORTS: {
    kind: list(port(), 0, OWN_SERVERS_MAX),
    default: '8000,8001,8002',
    meaning: 'The servers\' ports; a port of 0 is chosen by the kernel and logged. Empty for none.',
    mayBeEmpty: true
  },
  EXTERNAL_SERVERS: {
    kind: list(externalServer(), 0, SERVERS_MAX),
    default: '',
    meaning: 'Servers that run elsewhere, as name=url: visitors are sent to that base URL.',
    appliedBy: 'servers'
  },
  SERVER_NAMES: {
    kind: list(serverName(), 0, OWN_SERVERS_MAX),
    default: '',
    defaultShown: 'the ports',
    meaning: 'One name per port, for console, logs, metrics and paths; no other server\'s name or port.'
  },
  WEIGHTS: {
    kind: list(weight(), 0, SERVERS_MAX),
    default: '',
    defaultShown: 'as the capacities, or 1 for each',
    meaning: 'One weight per server, external ones last: with 1,1,2 the third gets half of all users.',
    appliedBy: 'servers'
  },
  CAPACITY: {
    kind: list(wholeNumber(1, CAPACITY_MAX, 'users'), 0, SERVERS_MAX),
    default: '',
    defaultShown: 'as many as come',
    meaning: 'Users that each server admits, held places included: one number for all, or one per server.',
    appliedBy: 'servers'
  },
  HEALTH_PATH: {
    kind: list(urlPath(), 1, SERVERS_MAX),
    default: '/',
    meaning: 'What a health check asks of an external server, after its URL. One for all or one for each, as the next five.',
    appliedBy: 'servers'
  },
  HEALTH_INTERVAL: {
    kind: list(seconds(intervalS.min, intervalS.max), 1, SERVERS_MAX),
    default: '2',
    meaning: 'Time between two health checks of a server, a tenth more or less.',
    appliedBy: 'servers'
  },
  HEALTH_TIMEOUT: {
    kind: list(seconds(timeoutS.min, timeoutS.max), 1, SERVERS_MAX),
    default: '1',
    meaning: 'A health check that takes longer has failed.',
    appliedBy: 'servers'
  },
  HEALTH_RISE: {
    kind: list(wholeNumber(1, inARowMax, 'checks'), 1, SERVERS_MAX),
    default: '2',
    meaning: 'Good health checks in a row after which a server that was down is up.',
    appliedBy: 'servers'
  },
  HEALTH_FALL: {
    kind: list(wholeNumber(1, inARowMax, 'checks'), 1, SERVERS_MAX),
    default: '3',
    meaning: 'Failed health checks in a row after which a server is down.',
    appliedBy: 'servers'
  },
  HEALTH_STATUS: {
    kind: list(statusRange(), 1, SERVERS_MAX),
    default: '200-399',
    meaning: 'Which status of the answer makes a health check a good one; redirects are not followed.',
    appliedBy: 'servers'
  }
} as const satisfies Record<string, Definition<unknown>>
