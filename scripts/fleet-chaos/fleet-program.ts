/** A node of the fleet: the program at an address of its own, killed and started again in place. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Operator } from '../kit/operator.ts'
import { startProgram, type Program } from '../kit/program.ts'
import type { CrowdNode } from './crowd.ts'

export interface ServerFigures {
  readonly port: number
  readonly active_users: number
  readonly load: number
}

const PASSWORD = 'correct horse battery'

export class FleetProgram implements CrowdNode {
  readonly name: string
  readonly host: string
  life = 0
  takesVisitors = false
  wasKilled = false
  readonly #folder = mkdtempSync(join(tmpdir(), 'usher-chaos-'))
  readonly #program: string
  #settings: Readonly<Record<string, string>>
  #running: Program | undefined
  #operator: Operator | undefined

  /** @param number from 1 */
  constructor (number: number, program: string, settings: Readonly<Record<string, string>>) {
    this.name = `node-${number}`
    this.host = `127.0.0.${number + 1}`
    this.#program = program
    this.#settings = {
      ...settings,
      NODE_NAME: this.name,
      HOST: this.host,
      IP: this.host,
      MONITORING_HOST: '127.0.0.1',
      ADMIN_PASSWORD: PASSWORD,
      LOG_FILE: '-'
    }
  }

  get routingPort (): number {
    return Number(this.#settings['ROUTING_PORT'])
  }

  /** The same ports each time. */
  async start (): Promise<void> {
    const running = await startProgram(
      this.#settings, { folder: this.#folder, program: this.#program })
    this.#running = running
    this.#settings = {
      ...this.#settings,
      PORTS: running.ports.join(','),
      ROUTING_PORT: String(running.routingPort),
      MONITORING_PORT: String(running.monitoringPort)
    }
    this.#operator = new Operator(running)
    this.wasKilled = false
    this.takesVisitors = true
  }

  async kill (): Promise<void> {
    this.wasKilled = true
    this.takesVisitors = false
    await this.#running?.stop('SIGKILL')
    this.life++
  }

  /** Visitors come by other routers from now on. Resolves with the exit code. */
  async stop (): Promise<number | null> {
    this.takesVisitors = false
    const code = await this.#running!.stop()
    this.life++
    return code
  }

  /** By name; undefined while it does not run. */
  async servers (): Promise<Readonly<Record<string, ServerFigures>> | undefined> {
    try {
      const { json } = await this.#operator!.getLoggedIn('/stats?limit=0', 'admin', PASSWORD)
      return json['servers'] as Record<string, ServerFigures> | undefined
    } catch {
      return undefined
    }
  }

  async close (): Promise<void> {
    await this.#running?.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
