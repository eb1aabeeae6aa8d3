package org.nowplaying.core;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.nowplaying.core.sql.Sql;

/** SQLite on a desktop JVM. */
public final class JdbcSql implements Sql.Writer {
    private final String url;

    private JdbcSql(String url) {
        this.url = url;
    }

    public static Sql reader(Path path) {
        return new JdbcSql("jdbc:sqlite:file:" + path.toAbsolutePath() + "?mode=ro&immutable=1");
    }

    public static Sql.Writer writer(Path path) {
        return new JdbcSql("jdbc:sqlite:" + path.toAbsolutePath());
    }

    private static PreparedStatement prepare(Connection connection, String sql, Object... arguments)
            throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < arguments.length; i++) {
            statement.setObject(i + 1, arguments[i]);
        }
        return statement;
    }

    @Override
    public List<Object[]> query(String sql, Object... arguments) {
        try (Connection connection = DriverManager.getConnection(url);
                PreparedStatement statement = prepare(connection, sql, arguments);
                ResultSet result = statement.executeQuery()) {
            List<Object[]> rows = new ArrayList<>();
            while (result.next()) {
                Object[] row = new Object[result.getMetaData().getColumnCount()];
                for (int i = 0; i < row.length; i++) {
                    Object value = result.getObject(i + 1);
                    row[i] = value instanceof Integer ? Long.valueOf((Integer) value) : value;
                }
                rows.add(row);
            }
            return rows;
        } catch (SQLException error) {
            throw new IllegalStateException(error.getMessage(), error);
        }
    }

    @Override
    public long execute(String sql, Object... arguments) {
        try (Connection connection = DriverManager.getConnection(url);
                PreparedStatement statement = prepare(connection, sql, arguments)) {
            statement.executeUpdate();
            try (PreparedStatement newest = prepare(connection, "SELECT last_insert_rowid()");
                    ResultSet result = newest.executeQuery()) {
                return result.getLong(1);
            }
        } catch (SQLException error) {
            throw new IllegalStateException(error.getMessage(), error);
        }
    }
}
