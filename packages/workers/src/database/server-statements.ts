/** The SQL of servers: who drains, and which the console names. As statements.ts. */
import type { Database } from 'better-sqlite3'
import type { DrainRow, ServerRow } from './rows.ts'

export function drainSql (db: Database) {
  const all = db.prepare<[], DrainRow>(`SELECT Server AS server, Note AS note, Since AS sinceMs,
    MovesFrom AS movesFromMs, Maintenance AS isMaintenance FROM Drains`)
  const insert = db.prepare<DrainRow>(`INSERT INTO Drains (Server, Note, Since, MovesFrom, Maintenance)
    VALUES (@server, @note, @sinceMs, @movesFromMs, @isMaintenance)`)
  const remove = db.prepare<[string]>('DELETE FROM Drains WHERE Server = ?')
  return {
    drains: () => all.all(),
    addDrain: (row: DrainRow) => { insert.run(row) },
    removeDrain: (server: string) => { remove.run(server) }
  }
}

export function serverSql (db: Database) {
  const all = db.prepare<[], ServerRow>(`SELECT Name AS name, Url AS url, Weight AS weight,
    Capacity AS capacity, HealthPath AS healthPath, HealthInterval AS healthInterval,
    HealthTimeout AS healthTimeout, HealthRise AS healthRise, HealthFall AS healthFall,
    HealthStatus AS healthStatus FROM Servers ORDER BY ID`)
  const insert = db.prepare<ServerRow>(`INSERT INTO Servers (Name, Url, Weight, Capacity,
    HealthPath, HealthInterval, HealthTimeout, HealthRise, HealthFall, HealthStatus)
    VALUES (@name, @url, @weight, @capacity, @healthPath, @healthInterval, @healthTimeout,
    @healthRise, @healthFall, @healthStatus)`)
  const update = db.prepare<ServerRow>(`UPDATE Servers SET Url = @url, Weight = @weight,
    Capacity = @capacity, HealthPath = @healthPath, HealthInterval = @healthInterval,
    HealthTimeout = @healthTimeout, HealthRise = @healthRise, HealthFall = @healthFall,
    HealthStatus = @healthStatus WHERE Name = @name`)
  const remove = db.prepare<[string]>('DELETE FROM Servers WHERE Name = ?')
  return {
    /** In the order of adding. */
    servers: () => all.all(),
    addServer: (row: ServerRow) => { insert.run(row) },
    changeServer: (row: ServerRow) => { update.run(row) },
    removeServer: (name: string) => { remove.run(name) }
  }
}
