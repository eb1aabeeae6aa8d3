package org.nowplaying.app

import android.content.Context
import android.database.Cursor
import android.database.sqlite.SQLiteCursor
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteOpenHelper
import android.database.sqlite.SQLiteProgram
import java.nio.file.Path
import org.nowplaying.core.energy.SqlUsage
import org.nowplaying.core.history.SqlHistory
import org.nowplaying.core.sql.Sql

/**
 * A pack's songs, read-only; each query opens the file anew, so it may come from any thread.
 *
 * Whoever opened a pack goes on with its fingerprints after it was replaced: their songs must not be looked up in the new one.
 */
class PackSql(private val path: Path) : Sql {
    private val writtenMs = path.toFile().lastModified()

    override fun query(sql: String, vararg arguments: Any): List<Array<Any?>> {
        check(path.toFile().lastModified() == writtenMs) { "the pack was replaced or deleted meanwhile" }
        val flags = SQLiteDatabase.OPEN_READONLY or SQLiteDatabase.NO_LOCALIZED_COLLATORS
        return SQLiteDatabase.openDatabase(path.toString(), null, flags).use { rows(it, sql, arguments) }
    }
}

/** The file of the history. */
class HistorySql(context: Context) : SQLiteOpenHelper(context, "history.db", null, 2), Sql.Writer {
    override fun onCreate(database: SQLiteDatabase) {
        database.execSQL(SqlHistory.SCHEMA)
        onUpgrade(database, 1, 2)
    }

    override fun onUpgrade(database: SQLiteDatabase, from: Int, to: Int) {
        database.execSQL(SqlHistory.FAVOURITES_SCHEMA)
        database.execSQL(SqlUsage.SCHEMA)
    }

    override fun query(sql: String, vararg arguments: Any): List<Array<Any?>> = rows(readableDatabase, sql, arguments)

    override fun execute(sql: String, vararg arguments: Any): Long =
        writableDatabase.compileStatement(sql).use { statement ->
            bind(statement, arguments)
            if (sql.startsWith("INSERT")) statement.executeInsert() else statement.executeUpdateDelete().toLong()
        }
}

private fun rows(database: SQLiteDatabase, sql: String, arguments: Array<out Any>): List<Array<Any?>> {
    // A cursor factory, because rawQuery itself binds texts only.
    val factory = SQLiteDatabase.CursorFactory { _, driver, table, query ->
        bind(query, arguments)
        SQLiteCursor(driver, table, query)
    }
    return database.rawQueryWithFactory(factory, sql, null, "").use { cursor ->
        val rows = ArrayList<Array<Any?>>()
        while (cursor.moveToNext()) {
            rows.add(Array(cursor.columnCount) { column -> value(cursor, column) })
        }
        rows
    }
}

private fun bind(program: SQLiteProgram, arguments: Array<out Any>) {
    for (place in arguments.indices) {
        when (val value = arguments[place]) {
            is Long -> program.bindLong(place + 1, value)
            is Double -> program.bindDouble(place + 1, value)
            else -> program.bindString(place + 1, value.toString())
        }
    }
}

private fun value(cursor: Cursor, column: Int): Any? = when (cursor.getType(column)) {
    Cursor.FIELD_TYPE_INTEGER -> cursor.getLong(column)
    Cursor.FIELD_TYPE_FLOAT -> cursor.getDouble(column)
    Cursor.FIELD_TYPE_STRING -> cursor.getString(column)
    else -> null
}
