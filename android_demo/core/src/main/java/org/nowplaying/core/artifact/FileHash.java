package org.nowplaying.core.artifact;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Compares files with what a manifest records of them. */
public final class FileHash {
    private FileHash() {}

    /** Returns the SHA-256 of a text in UTF-8, in lower-case hex. */
    public static String sha256(String text) {
        return sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the SHA-256 of bytes, in lower-case hex. */
    public static String sha256(byte[] bytes) {
        return hex(digest().digest(bytes));
    }

    /**
     * Compares a file's size, then its SHA-256.
     *
     * @throws ArtifactException when it is missing, a link, or different
     */
    public static void check(Path path, Object bytes, Object sha256) throws ArtifactException {
        try {
            if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                throw ArtifactException.corrupt(path, "file named by the manifest is missing or a link");
            }
            if (!(bytes instanceof Json.Num) || ((Json.Num) bytes).longValue() != Files.size(path)) {
                throw ArtifactException.corrupt(path, "expected " + bytes + " bytes, found " + Files.size(path));
            }
            MessageDigest digest = digest();
            byte[] chunk = new byte[1 << 16];
            try (InputStream input = Files.newInputStream(path)) {
                for (int n = input.read(chunk); n >= 0; n = input.read(chunk)) {
                    digest.update(chunk, 0, n);
                }
            }
            if (!hex(digest.digest()).equals(sha256)) {
                throw ArtifactException.corrupt(path, "SHA-256 differs from the manifest's");
            }
        } catch (ArtifactException error) {
            throw error;
        } catch (IOException error) {
            throw ArtifactException.corrupt(path, "cannot be read (" + error + ")");
        }
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("every Java and Android has SHA-256", error);
        }
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte one : bytes) {
            text.append(Character.forDigit(one >> 4 & 15, 16)).append(Character.forDigit(one & 15, 16));
        }
        return text.toString();
    }
}
