package org.nowplaying.app

import android.annotation.SuppressLint
import android.content.Context
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioRecord
import android.media.MediaRecorder
import android.os.Build
import java.io.IOException
import org.nowplaying.core.frontend.MicroFrontend
import org.nowplaying.core.listen.Microphone

/** The phone's microphone, as little processed as the phone offers it. */
class RecorderMicrophone(private val context: Context) : Microphone {
    private var recorder: AudioRecord? = null

    @SuppressLint("MissingPermission") // the service starts with the permission only; losing it throws, and the service reports it
    override fun open() {
        val rate = MicroFrontend.SAMPLE_RATE_HZ
        val least = AudioRecord.getMinBufferSize(rate, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)
        if (least <= 0) {
            throw IOException("this phone does not record 16 kHz mono")
        }
        val opened = try {
            AudioRecord(
                source(),
                rate,
                AudioFormat.CHANNEL_IN_MONO,
                AudioFormat.ENCODING_PCM_16BIT,
                // Four seconds: recognizing takes time on this thread, and meanwhile nothing may be lost.
                maxOf(least, 4 * 2 * rate),
            )
        } catch (error: SecurityException) {
            throw IOException("the microphone is not allowed", error)
        } catch (error: IllegalArgumentException) {
            throw IOException("the microphone cannot be had", error)
        }
        if (opened.state != AudioRecord.STATE_INITIALIZED) {
            opened.release()
            throw IOException("the microphone cannot be had")
        }
        opened.startRecording()
        if (opened.recordingState != AudioRecord.RECORDSTATE_RECORDING) {
            opened.release()
            throw IOException("the microphone is taken")
        }
        recorder = opened
    }

    private fun source(): Int {
        val audio = context.getSystemService(AudioManager::class.java)
        val raw = audio.getProperty(AudioManager.PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED)
        return if (raw == "true") MediaRecorder.AudioSource.UNPROCESSED else MediaRecorder.AudioSource.VOICE_RECOGNITION
    }

    override fun read(samples: ShortArray): Int {
        val n = recorder?.read(samples, 0, samples.size) ?: 0
        if (n <= 0) {
            throw IOException("the recording broke off ($n)")
        }
        return n
    }

    override fun isSilenced(): Boolean =
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q &&
            recorder?.activeRecordingConfiguration?.isClientSilenced == true

    override fun close() {
        recorder?.release()
        recorder = null
    }
}
