package org.nowplaying.app

import android.app.Activity
import android.os.Bundle

/** Explains what the app records and stores, and why none of it can leave the phone. */
class PrivacyActivity : Activity() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.privacy)
    }
}
