internal import GRDB

/// The steps from an empty file to the present schema. A step that was released is never changed:
/// what is to be different later is a new step.
enum StoreMigrations {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 tiles, names, checkpoint") { db in
      try db.execute(sql: tilesNamesCheckpoint)
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
}
