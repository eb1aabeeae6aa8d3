package org.nowplaying.app

import android.database.Cursor
import android.database.sqlite.SQLiteCursor
import android.database.sqlite.SQLiteDatabase
import java.nio.file.Path
import org.nowplaying.core.song.SqlSongStore

/** Android's SQLite on a pack's songs, read-only; each query opens the file anew, so it may come from any thread. */
class AndroidSqlReader(private val path: Path) : SqlSongStore.Reader {
    override fun query(sql: String, vararg arguments: Any): List<Array<Any?>> {
        val flags = SQLiteDatabase.OPEN_READONLY or SQLiteDatabase.NO_LOCALIZED_COLLATORS
        return SQLiteDatabase.openDatabase(path.toString(), null, flags).use { database ->
            // A cursor factory, because rawQuery itself binds texts only.
            val factory = SQLiteDatabase.CursorFactory { _, driver, table, query ->
                for (place in arguments.indices) {
                    when (val value = arguments[place]) {
                        is Long -> query.bindLong(place + 1, value)
                        else -> query.bindString(place + 1, value.toString())
                    }
                }
                SQLiteCursor(driver, table, query)
            }
            database.rawQueryWithFactory(factory, sql, null, "").use { cursor ->
                val rows = ArrayList<Array<Any?>>()
                while (cursor.moveToNext()) {
                    val row = arrayOfNulls<Any>(cursor.columnCount)
                    for (column in row.indices) {
                        row[column] = value(cursor, column)
                    }
                    rows.add(row)
                }
                rows
            }
        }
    }

    private fun value(cursor: Cursor, column: Int): Any? = when (cursor.getType(column)) {
        Cursor.FIELD_TYPE_INTEGER -> cursor.getLong(column)
        Cursor.FIELD_TYPE_FLOAT -> cursor.getDouble(column)
        Cursor.FIELD_TYPE_STRING -> cursor.getString(column)
        else -> null
    }
}
