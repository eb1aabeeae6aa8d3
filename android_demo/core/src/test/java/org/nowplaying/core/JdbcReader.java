package org.nowplaying.core;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.nowplaying.core.song.SqlSongStore;

/** SQLite on a desktop JVM. */
public final class JdbcReader implements SqlSongStore.Reader {
    private final String url;

    public JdbcReader(Path path) {
        url = "jdbc:sqlite:file:" + path.toAbsolutePath() + "?mode=ro&immutable=1";
    }

    @Override
    public List<Object[]> query(String sql, Object... arguments) {
        try (Connection connection = DriverManager.getConnection(url);
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setObject(i + 1, arguments[i]);
            }
            List<Object[]> rows = new ArrayList<>();
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    Object[] row = new Object[result.getMetaData().getColumnCount()];
                    for (int i = 0; i < row.length; i++) {
                        Object value = result.getObject(i + 1);
                        row[i] = value instanceof Integer ? Long.valueOf((Integer) value) : value;
                    }
                    rows.add(row);
                }
            }
            return rows;
        } catch (SQLException error) {
            throw new IllegalStateException(error.getMessage(), error);
        }
    }
}
