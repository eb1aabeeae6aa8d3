package org.nowplaying.app

import android.os.Bundle

/** Explains what the app records and stores, and why none of it can leave the phone. */
class PrivacyActivity : Screen() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        showScreen(R.layout.privacy)
    }
}
