package org.callbook

import android.app.Application
import org.callbook.account.Leaving
import org.callbook.sync.Notifications
import org.callbook.sync.Schedule

class CallbookApp : Application() {
    override fun onCreate() {
        super.onCreate()
        Notifications.makeChannels(this)
        Work.run {
            Leaving.sweep(this)
            Schedule.all(this)
        }
    }
}
