package org.callbook.ui

import android.graphics.Bitmap
import android.graphics.Color
import com.google.zxing.BarcodeFormat
import com.google.zxing.qrcode.QRCodeWriter

/** Links as QR codes. */
object Qr {
    /** Black on white in either theme, as cameras want it. */
    fun draw(text: String, pixels: Int): Bitmap {
        val code = QRCodeWriter().encode(text, BarcodeFormat.QR_CODE, pixels, pixels)
        val colors = IntArray(code.width * code.height) { at ->
            if (code.get(at % code.width, at / code.width)) Color.BLACK else Color.WHITE
        }
        return Bitmap.createBitmap(colors, code.width, code.height, Bitmap.Config.ARGB_8888)
    }
}
