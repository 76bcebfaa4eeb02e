#pragma once
#include <sqlite3.h>

// Swift cannot call C variadics or cast function-pointer macros; nothing else belongs here.

/// SQLite copies the bytes before the call returns (SQLITE_TRANSIENT).
static inline int weir_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}

/// SQLite copies the bytes before the call returns (SQLITE_TRANSIENT).
static inline int weir_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/// A handle that never checkpoints when it is closed: only the writer may.
static inline int weir_sqlite_no_checkpoint_on_close(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/// Refuse SQL that could corrupt the file (writable_schema, shadow tables).
static inline int weir_sqlite_defensive(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

/// Back to SQLite's own habit for the one writer: its last close checkpoints and removes the -wal file.
static inline int weir_sqlite_checkpoint_on_close(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)0);
}

/// No global count of allocated bytes: its lock is the one thing connections on different threads would share.
/// Only before the library's first use; afterwards it changes nothing.
static inline int weir_sqlite_no_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
