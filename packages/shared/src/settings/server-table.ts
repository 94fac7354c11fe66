/** The rows of the table of settings that name the servers and say where they are. */
import { SERVERS_MAX } from '../memory/layout.ts'
import { baseUrl, list, port } from './kinds.ts'
import { externalServer, serverName, weight } from './server-kinds.ts'
import type { Definition } from './setting-definition.ts'

/** Of our own, each of which is a thread. */
export const OWN_SERVERS_MAX = 32

export const SERVER_TABLE = {
  SERVER_URLS: {
    kind: list(baseUrl(), 0, OWN_SERVERS_MAX),
    default: '',
    meaning: 'One public base URL per port, for port mappings and proxies.'
  },
  PORTS: {
    kind: list(port(), 0, OWN_SERVERS_MAX),
    default: '8000,8001,8002',
    meaning: 'The servers\' ports; a port of 0 is chosen by the kernel and logged. Empty beside EXTERNAL_SERVERS for none.',
    mayBeEmpty: true
  },
  EXTERNAL_SERVERS: {
    kind: list(externalServer(), 0, SERVERS_MAX),
    default: '',
    meaning: 'Servers that run elsewhere, as name=url: visitors are sent to that base URL.'
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
    defaultShown: '1 for each',
    meaning: 'One weight per server, external ones last: with 1,1,2 the third gets half of all users.'
  }
} as const satisfies Record<string, Definition<unknown>>
