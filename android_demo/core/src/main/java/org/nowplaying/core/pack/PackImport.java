package org.nowplaying.core.pack;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.SongPacks;
import org.nowplaying.core.sql.Sql;

/** Imports song packs: a ZIP of one {@code NAME.npdb} folder, checked before it is installed. */
public final class PackImport {
    private static final int MAX_FILES = 40;
    private static final String SUFFIX = ".npdb";
    private static final String WORK = ".import-"; // no pack's name begins with a dot
    private static final String OLD = ".old-";

    private PackImport() {}

    /**
     * Unpacks, checks and installs a pack; one of the same name is replaced only by a good one. One import at a time: what
     * an import left behind that was ended midway is cleared away first.
     *
     * @param packs folder of the installed packs
     * @param embeddingSpace id of the encoder in use
     * @param dim of its fingerprints
     * @param sql reads a file of SQLite
     * @param inUse the packs that it will be searched together with; one that it replaces does not count
     * @param maxBytes limit of its unpacked size
     * @return the installed folder
     * @throws ArtifactException when it is damaged, or made for another encoder or otherwise than those in use
     * @throws IOException when it is no pack, too large, or the storage is full
     */
    public static Path install(
            InputStream zip, Path packs, String embeddingSpace, int dim, Function<Path, Sql> sql,
            List<SongPacks.Pack> inUse, long maxBytes) throws IOException {
        Files.createDirectories(packs);
        clear(packs);
        Path work = Files.createTempDirectory(packs, WORK);
        try {
            String name = unpack(zip, work, maxBytes);
            Path installed = packs.resolve(name + SUFFIX);
            SongPacks.Pack pack = SongPacks.Pack.open(work, embeddingSpace, dim, sql);
            for (SongPacks.Pack other : inUse) {
                if (!other.manifest.folder().equals(installed)) {
                    pack.checkAlike(other);
                }
            }
            Path old = packs.resolve(OLD + name);
            if (Files.exists(installed)) {
                Files.move(installed, old);
            }
            Files.move(work, installed);
            delete(old);
            return installed;
        } finally {
            delete(work);
        }
    }

    /** Deletes what lies about, but for a pack that was about to be replaced: it returns to its place. */
    private static void clear(Path packs) throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(packs, ".*")) {
            for (Path folder : left) {
                String name = folder.getFileName().toString();
                Path place = name.startsWith(OLD) ? packs.resolve(name.substring(OLD.length()) + SUFFIX) : folder;
                if (Files.exists(place)) {
                    delete(folder);
                } else {
                    Files.move(folder, place);
                }
            }
        }
    }

    private static String unpack(InputStream zip, Path work, long maxBytes) throws IOException {
        String folder = null;
        long left = maxBytes;
        int files = 0;
        byte[] chunk = new byte[1 << 16];
        try (ZipInputStream input = new ZipInputStream(zip)) {
            for (ZipEntry entry = input.getNextEntry(); entry != null; entry = input.getNextEntry()) {
                if (entry.isDirectory()) {
                    continue;
                }
                String[] parts = entry.getName().split("/");
                // Plain names only: nothing may leave the folder.
                boolean plain = parts.length == 2 && parts[0].matches("[0-9A-Za-z][0-9A-Za-z._ -]{0,80}\\" + SUFFIX)
                        && parts[1].matches("[0-9A-Za-z][0-9A-Za-z._-]{0,80}") && ++files <= MAX_FILES;
                if (!plain || folder != null && !folder.equals(parts[0])) {
                    throw new ZipException("expected one folder NAME" + SUFFIX + ", found " + entry.getName());
                }
                folder = parts[0];
                try (OutputStream output = Files.newOutputStream(work.resolve(parts[1]))) {
                    for (int n = input.read(chunk); n >= 0; n = input.read(chunk)) {
                        left -= n;
                        if (left < 0) {
                            throw new ZipException("expected at most " + maxBytes + " bytes");
                        }
                        output.write(chunk, 0, n);
                    }
                }
            }
        }
        if (folder == null) {
            throw new ZipException("expected one folder NAME" + SUFFIX + ", found no ZIP or nothing in it");
        }
        return folder.substring(0, folder.length() - SUFFIX.length());
    }

    /** Deletes a folder of files if it exists. */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
