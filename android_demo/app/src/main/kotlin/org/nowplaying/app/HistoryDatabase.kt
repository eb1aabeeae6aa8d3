package org.nowplaying.app

import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteOpenHelper
import org.nowplaying.core.history.HeardSong
import org.nowplaying.core.history.History

/** The songs that were heard, in SQLite. */
class HistoryDatabase(context: Context) : SQLiteOpenHelper(context, "history.db", null, 1), History.Store {
    override fun onCreate(database: SQLiteDatabase) {
        database.execSQL(
            "CREATE TABLE heard (id INTEGER PRIMARY KEY, track_id TEXT NOT NULL, title TEXT NOT NULL, " +
                "artist TEXT NOT NULL, first_heard_ms INTEGER NOT NULL, last_heard_ms INTEGER NOT NULL, " +
                "offset_s REAL NOT NULL, score REAL NOT NULL, recognitions INTEGER NOT NULL)",
        )
        database.execSQL("CREATE INDEX heard_last ON heard (last_heard_ms)")
    }

    override fun onUpgrade(database: SQLiteDatabase, from: Int, to: Int) = Unit

    override fun last(): HeardSong? = query("", emptyArray(), 1).firstOrNull()

    override fun insert(song: HeardSong): HeardSong {
        val id = writableDatabase.insertOrThrow("heard", null, values(song))
        return HeardSong(
            id, song.trackId, song.title, song.artist, song.firstHeardMs, song.lastHeardMs, song.offsetS, song.score,
            song.recognitions,
        )
    }

    override fun update(song: HeardSong) {
        writableDatabase.update("heard", values(song), "id = ?", arrayOf(song.id.toString()))
    }

    override fun search(text: String, most: Int): List<HeardSong> {
        val like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        return query("WHERE title LIKE ? ESCAPE '\\' OR artist LIKE ? ESCAPE '\\' ", arrayOf(like, like), most)
    }

    override fun delete(id: Long) {
        writableDatabase.delete("heard", "id = ?", arrayOf(id.toString()))
    }

    override fun clear() {
        writableDatabase.delete("heard", null, null)
    }

    private fun query(where: String, arguments: Array<String>, most: Int): List<HeardSong> {
        val sql = "SELECT id, track_id, title, artist, first_heard_ms, last_heard_ms, offset_s, score, recognitions " +
            "FROM heard ${where}ORDER BY last_heard_ms DESC, id DESC LIMIT $most"
        return readableDatabase.rawQuery(sql, arguments).use { cursor ->
            val found = ArrayList<HeardSong>()
            while (cursor.moveToNext()) {
                found.add(song(cursor))
            }
            found
        }
    }

    private fun song(row: Cursor) = HeardSong(
        row.getLong(0), row.getString(1), row.getString(2), row.getString(3), row.getLong(4), row.getLong(5),
        row.getDouble(6), row.getDouble(7), row.getInt(8),
    )

    private fun values(song: HeardSong) = ContentValues().apply {
        put("track_id", song.trackId)
        put("title", song.title)
        put("artist", song.artist)
        put("first_heard_ms", song.firstHeardMs)
        put("last_heard_ms", song.lastHeardMs)
        put("offset_s", song.offsetS)
        put("score", song.score)
        put("recognitions", song.recognitions)
    }
}
