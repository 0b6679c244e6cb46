internal import GRDB

/// The steps from an empty file to the present schema. A step that was released is never changed:
/// what is to be different later is a new step.
enum StoreMigrations {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 tiles, names, checkpoint") { db in
      try db.execute(sql: tilesNamesCheckpoint)
    }
    migrator.registerMigration("2 markers, versions") { db in
      try db.execute(sql: markersVersions)
    }
    migrator.registerMigration("3 rollouts, verdicts") { db in
      try db.execute(sql: rolloutsVerdicts)
    }
    migrator.registerMigration("4 life of markers") { db in
      try db.execute(sql: lifeOfMarkers)
    }
    migrator.registerMigration("5 what deadlines were named by") { db in
      try db.execute(sql: "ALTER TABLE rollouts ADD COLUMN known_until INTEGER")
    }
    return migrator
  }

  private static let tilesNamesCheckpoint = """
    CREATE TABLE tiles (
      width INTEGER NOT NULL,
      start INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      first INTEGER NOT NULL,
      second INTEGER NOT NULL,
      third INTEGER NOT NULL,
      sums BLOB NOT NULL,
      PRIMARY KEY (width, start, kind, first, second, third)
    ) WITHOUT ROWID, STRICT;

    CREATE TABLE names (
      id INTEGER PRIMARY KEY,
      tenant INTEGER NOT NULL,
      kind INTEGER NOT NULL,
      scope INTEGER NOT NULL,
      text BLOB NOT NULL,
      newest INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE checkpoint (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      number INTEGER NOT NULL,
      mark INTEGER NOT NULL
    ) STRICT;
    INSERT INTO checkpoint (id, number, mark) VALUES (1, 0, 0);

    CREATE TABLE meta (
      key TEXT PRIMARY KEY,
      value INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;
    """

  private static let rolloutsVerdicts = """
    CREATE TABLE rollouts (
      id INTEGER PRIMARY KEY,
      tenant INTEGER NOT NULL,
      deadline INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE verdicts (
      id INTEGER PRIMARY KEY,
      tenant INTEGER NOT NULL,
      rollout INTEGER NOT NULL,
      service TEXT NOT NULL,
      version TEXT NOT NULL,
      verdict TEXT NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER NOT NULL,
      report BLOB NOT NULL,
      answer BLOB NOT NULL
    ) STRICT;
    CREATE INDEX verdicts_by_rollout ON verdicts (rollout, until);
    CREATE INDEX verdicts_by_time ON verdicts (tenant, until);
    """

  // What names an end is over.
  private static let lifeOfMarkers = """
    ALTER TABLE markers ADD COLUMN state TEXT NOT NULL DEFAULT '';
    UPDATE markers SET state = 'finished' WHERE end_time IS NOT NULL;
    CREATE INDEX markers_by_kind ON markers (tenant, service, kind, time);
    """

  // What the hours know of versions is taken over: a version that ran before is not new.
  private static let markersVersions = """
    CREATE TABLE markers (
      id INTEGER PRIMARY KEY,
      tenant INTEGER NOT NULL,
      kind TEXT NOT NULL,
      service TEXT NOT NULL,
      namespace TEXT NOT NULL,
      environment TEXT NOT NULL,
      version TEXT NOT NULL,
      time INTEGER NOT NULL,
      end_time INTEGER,
      dedupe_key TEXT,
      inferred INTEGER NOT NULL,
      details TEXT NOT NULL,
      UNIQUE (tenant, dedupe_key)
    ) STRICT;
    CREATE INDEX markers_by_time ON markers (tenant, time);
    CREATE INDEX markers_by_service ON markers (tenant, service, time);

    CREATE TABLE marker_aliases (
      id INTEGER PRIMARY KEY,
      marker INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX marker_aliases_by_marker ON marker_aliases (marker);

    CREATE TABLE versions (
      service INTEGER NOT NULL,
      version INTEGER NOT NULL,
      first INTEGER NOT NULL,
      newest INTEGER NOT NULL,
      PRIMARY KEY (service, version)
    ) WITHOUT ROWID, STRICT;
    INSERT INTO versions (service, version, first, newest)
      SELECT first, second, MIN(start), MAX(start) FROM tiles
      WHERE width = 3 AND kind = 2 AND second <> 0 GROUP BY first, second;
    """
}
