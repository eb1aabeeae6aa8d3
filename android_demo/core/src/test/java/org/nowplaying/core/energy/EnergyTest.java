package org.nowplaying.core.energy;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.nowplaying.core.JdbcSql;
import org.nowplaying.core.sql.Sql;

public class EnergyTest {
    private static final String ACCOUNT = "{\"schema_version\":1,\"other\":\"b\",\"devices\":["
            + "{\"name\":\"a\",\"title\":\"Phone A\",\"models\":[\"A1\"],\"battery_j\":36000,"
            + "\"recording_mw\":{\"value\":100,\"low\":50,\"high\":200},\"answer_j\":{\"value\":0.5,\"low\":0.25,\"high\":2}},"
            + "{\"name\":\"b\",\"title\":\"Other phones\",\"models\":[],\"battery_j\":72000,"
            + "\"recording_mw\":{\"value\":100,\"low\":50,\"high\":200},\"answer_j\":{\"value\":0.5,\"low\":0.25,\"high\":2}}]}";

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void theShareIsListeningAndAnswersByTheBattery() {
        EnergyAccount account = EnergyAccount.of(ACCOUNT, "A1");
        assertTrue(account.isOfThisModel);
        // One hour at 100 mW is 360 J, and 80 answers are 40 J: 400 of 36,000 J.
        assertArrayEquals(new double[] {100 * 400 / 36000.0, 100 * 200 / 36000.0, 100 * 880 / 36000.0},
                account.percent(3600, 80), 1e-9);
    }

    @Test
    public void aPhoneWithoutAProfileHasThatOfOthers() {
        EnergyAccount account = EnergyAccount.of(ACCOUNT, "Z9");
        assertFalse(account.isOfThisModel);
        assertEquals("Other phones", account.title);
        assertThrows(IllegalArgumentException.class, () -> EnergyAccount.of("{\"schema_version\":2}", "A1"));
        assertThrows(IllegalArgumentException.class, () -> EnergyAccount.of(ACCOUNT.replace("36000", "0"), "A1"));
    }

    @Test
    public void daysAreAddedUp() throws Exception {
        Sql.Writer sql = JdbcSql.writer(folder.newFile().toPath());
        sql.execute(SqlUsage.SCHEMA);
        SqlUsage usage = new SqlUsage(sql);
        usage.add(10, 60, 1, 0);
        usage.add(10, 30.5, 1, 1);
        usage.add(11, 5, 0, 0);
        SqlUsage.Total day = usage.total(10, 10);
        assertEquals(90.5, day.listenedS, 1e-9);
        assertEquals(2, day.wakes);
        assertEquals(1, day.songs);
        assertEquals(95.5, usage.total(0, 11).listenedS, 1e-9);
        usage.clear();
        assertEquals(0, usage.total(0, 11).wakes);
    }
}
