import java.net.URL;
import java.util.GregorianCalendar;
import java.util.TimeZone;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;

import scores.DateScores;
import scores.DateScoresSoap;

/** JAX-WS with dates made in the ways that its programs make them. Argument: the address of the WSDL. */
public class Calendar {
    private interface Call {
        byte[] make(XMLGregorianCalendar start, XMLGregorianCalendar end);
    }

    public static void main(String[] arguments) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("America/New_York"));
        DatatypeFactory factory = DatatypeFactory.newInstance();
        DateScoresSoap port = new DateScores(new URL(arguments[0])).getDateScoresSoap();
        XMLGregorianCalendar start = factory.newXMLGregorianCalendar(new GregorianCalendar(2025, 3, 21));
        XMLGregorianCalendar end = factory.newXMLGregorianCalendar(new GregorianCalendar(2025, 3, 22));
        print("day from a calendar", port::byDay, start, end);
        print("time from a calendar", port::byTime, start, end);
        print("day from text", port::byDay, factory.newXMLGregorianCalendar("2025-04-21"),
                factory.newXMLGregorianCalendar("2025-04-22"));
        print("day in UTC", port::byDay, factory.newXMLGregorianCalendarDate(2025, 4, 21, 0),
                factory.newXMLGregorianCalendarDate(2025, 4, 22, 0));
    }

    private static void print(String made, Call call, XMLGregorianCalendar start, XMLGregorianCalendar end) {
        try {
            System.out.println(made + ": " + new String(call.make(start, end)).strip());
        } catch (RuntimeException failure) {
            System.out.println(made + ": " + failure.getClass().getSimpleName() + ": " + failure.getMessage());
        }
    }
}
