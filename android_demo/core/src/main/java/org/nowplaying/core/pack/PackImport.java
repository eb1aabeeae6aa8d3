package org.nowplaying.core.pack;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.nowplaying.core.artifact.ArtifactException;
import org.nowplaying.core.db.SongDatabase;

/** Takes song packs in from elsewhere: a ZIP of one {@code NAME.npdb} folder, checked before it takes its place. */
public final class PackImport {
    private static final int MOST_FILES = 40;
    private static final String SUFFIX = ".npdb";

    private PackImport() {}

    /**
     * Unpacks, checks and installs a pack; one of the same name is replaced only by a good one.
     *
     * @param packs folder of the installed packs
     * @param embeddingSpace id of the encoder in use
     * @param mostBytes that it may take unpacked
     * @return the installed folder
     * @throws ArtifactException when it is damaged or made for another encoder
     * @throws IOException when it is no pack, too large, or the storage is full
     */
    public static Path install(InputStream zip, Path packs, String embeddingSpace, long mostBytes) throws IOException {
        Files.createDirectories(packs);
        Path work = Files.createTempDirectory(packs, "import-");
        try {
            String name = unpack(zip, work, mostBytes);
            SongDatabase.open(work, embeddingSpace);
            Path place = packs.resolve(name + SUFFIX);
            Path old = packs.resolve("import-old-" + name);
            delete(old);
            if (Files.exists(place)) {
                Files.move(place, old);
            }
            Files.move(work, place);
            delete(old);
            return place;
        } finally {
            delete(work);
        }
    }

    private static String unpack(InputStream zip, Path work, long mostBytes) throws IOException {
        String folder = null;
        long left = mostBytes;
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
                        && parts[1].matches("[0-9A-Za-z][0-9A-Za-z._-]{0,80}") && ++files <= MOST_FILES;
                if (!plain || folder != null && !folder.equals(parts[0])) {
                    throw new ZipException("expected one folder NAME" + SUFFIX + ", found " + entry.getName());
                }
                folder = parts[0];
                try (OutputStream output = Files.newOutputStream(work.resolve(parts[1]))) {
                    for (int n = input.read(chunk); n >= 0; n = input.read(chunk)) {
                        left -= n;
                        if (left < 0) {
                            throw new ZipException("expected at most " + mostBytes + " bytes");
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

    /** Deletes a folder of files; one that is not there is no trouble. */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (java.util.stream.Stream<Path> files = Files.list(folder)) {
            for (java.util.Iterator<Path> each = files.iterator(); each.hasNext(); ) {
                Files.delete(each.next());
            }
        }
        Files.delete(folder);
    }
}
