/**
 * One run of the fuzzer: the corpus first, one input at a time, then what the seed means, requests
 * beside settings and account commands; in the end, whether the program has grown. Says what it did
 * in one line.
 */
import { readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { accountInput } from './account-target.ts'
import { Findings } from './findings.ts'
import { FuzzedProgram } from './fuzzed-program.ts'
import { growthOf } from './growth.ts'
import { inputsOf, isRequest, type Input, type RequestInput } from './inputs.ts'
import { RequestRun } from './request-campaign.ts'
import { requestInput } from './request-inputs.ts'
import { settingsInput } from './settings-target.ts'
import { ThreadRun } from './thread-campaign.ts'

export interface FuzzPlan {
  readonly seconds: number
  readonly seed: number
  /** Tried before anything else. */
  readonly corpus: readonly Input[]
  /** Each of the corpus is followed by a check: it is to be found out which one does it. */
  readonly isOneByOne: boolean
  /** Empty; is removed when nothing is put there. */
  readonly findingsFolder: string
  readonly print: (text: string) => void
}

const BATCH_SIZE = 500
/** Of the corpus: a check after each would take longer than all of them. */
const CORPUS_BATCH_SIZE = 150
const SETTINGS_PER_ACCOUNT = 25
const SETTINGS_PER_PROCESS = 400
const ACCOUNTS_PER_PROCESS = 20
/** The threads that verify passwords end when they are idle, and close what they had open. */
const SETTLE_MS_MAX = 60_000
const SETTLE_LOOK_MS = 250
/** @returns the number of findings */
export async function runFuzz (plan: FuzzPlan): Promise<number> {
  const findings = new Findings(plan.findingsFolder, plan.print)
  const [direct, proxied] = await Promise.all([false, true].map(FuzzedProgram.start)) as
    [FuzzedProgram, FuzzedProgram]
  const requests = new RequestRun({ direct, proxied, onFinding: findings.add })
  const thread = new ThreadRun(findings.add)
  await replay(plan, requests, thread)
  const before = await direct.figures().catch(() => undefined)
  const endMs = performance.now() + plan.seconds * 1000
  await Promise.all([fuzzRequests(plan, requests, endMs), fuzzThread(plan, thread, endMs)])
  await thread.close()
  await requests.measure()
  const wrong = (text: string): void => { findings.add({ wrong: text, inputs: [] }) }
  const descriptors = before === undefined
    ? 'unknown'
    : await settledDescriptors(direct, before.descriptors, wrong)
  const growth = growthOf(requests.measured)
  growth.wrongs.forEach(wrong)
  for (const program of [direct, proxied]) (await program.stop()).forEach(wrong)
  const counts = [...requests.counts, ...thread.counts].map(([target, count]) => `${target} ${count}`)
  plan.print(`fuzz: seed ${plan.seed}, ${plan.seconds} s; ${counts.join(', ')}; ` +
    `${growth.text}; descriptors ${descriptors}; findings ${findings.count}`)
  if (findings.count === 0) rmdirSync(plan.findingsFolder)
  return findings.count
}

/** A file of inputs, or a folder of such files. */
export function readInputs (path: string): Input[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path).filter(name => name.endsWith('.jsonl')).sort().map(name => join(path, name))
    : [path]
  return files.flatMap(file => {
    try {
      return inputsOf(readFileSync(file, 'utf8'))
    } catch (error) {
      throw new Error(`${file}, ${(error as Error).message}`)
    }
  })
}

async function replay (
  { corpus, isOneByOne }: FuzzPlan, requests: RequestRun, thread: ThreadRun
): Promise<void> {
  const asked = corpus.filter(isRequest)
  const size = isOneByOne ? 1 : CORPUS_BATCH_SIZE
  for (let at = 0; at < asked.length && requests.isUsable; at += size) {
    await requests.batch(asked.slice(at, at + size))
  }
  for (const input of corpus) {
    if (isRequest(input)) continue
    await thread.try(input)
    if (isOneByOne) await thread.tryProcess(input)
  }
}

async function fuzzRequests (
  { seed, corpus }: FuzzPlan, requests: RequestRun, endMs: number
): Promise<void> {
  const sequence = { seed, corpus: corpus.filter(isRequest), batchSize: BATCH_SIZE }
  for (let number = 0; performance.now() < endMs && requests.isUsable; number += BATCH_SIZE) {
    const batch = Array.from({ length: BATCH_SIZE }, (_, at): RequestInput =>
      requestInput(sequence, number + at))
    await requests.batch(batch)
  }
}

/** With pauses as long as the work: requests need the machine, too. */
async function fuzzThread ({ seed }: FuzzPlan, thread: ThreadRun, endMs: number): Promise<void> {
  for (let round = 0; performance.now() < endMs; round++) {
    const startMs = performance.now()
    for (let at = 0; at < SETTINGS_PER_ACCOUNT; at++) {
      await thread.try(settingsInput(seed, round * SETTINGS_PER_ACCOUNT + at))
    }
    const account = accountInput(seed, round)
    await thread.try(account)
    if (round % ACCOUNTS_PER_PROCESS === 1) await thread.tryProcess(account)
    if (round * SETTINGS_PER_ACCOUNT % SETTINGS_PER_PROCESS === 0) {
      await thread.tryProcess(settingsInput(seed, round * SETTINGS_PER_ACCOUNT))
    }
    await wait(performance.now() - startMs)
  }
}

async function settledDescriptors (
  program: FuzzedProgram, before: number, wrong: (text: string) => void
): Promise<string> {
  const endMs = performance.now() + SETTLE_MS_MAX
  for (;;) {
    const now = (await program.figures().catch(() => undefined))?.descriptors
    if (now !== undefined && now <= before) return `${before} to ${now}`
    if (performance.now() > endMs || now === undefined) {
      wrong(`${before} descriptors were open before, ${now} after`)
      return `${before} to ${now}`
    }
    await wait(SETTLE_LOOK_MS)
  }
}
