package org.callbook

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element

/** The translation has all words, each with what is put into it. */
class WordsTest {
    /** By name, and of plurals by quantity too: what is put into it. */
    private fun words(folder: String): Map<String, List<String>> {
        val file = File("src/main/res/$folder/strings.xml")
        val root = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).documentElement
        fun elements(of: Element) = List(of.childNodes.length, of.childNodes::item).filterIsInstance<Element>()
        fun put(text: String) = Regex("%(\\d+\\$)?[sd]").findAll(text).map { it.value }.sorted().toList()
        return elements(root).filter { it.getAttribute("translatable") != "false" }.flatMap { word ->
            val name = word.getAttribute("name")
            if (word.tagName == "string") listOf(name to put(word.textContent))
            else elements(word).map { "$name/${it.getAttribute("quantity")}" to put(it.textContent) }
        }.toMap()
    }

    @Test
    fun `all words are translated`() {
        val english = words("values")
        assertTrue(english.size > 200)
        assertEquals(english, words("values-de"))
    }
}
